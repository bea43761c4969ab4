"""What a program's result may be: a value that cannot lie when it is compared.

Checks compare results with `==` and `<`, and compute with them. A value of a
type that the program made could answer as it likes; so could one that only
holds such a value, or stands for it. A type that was there before the program
is taken for honest, as long as it is as it was.

No method is looked up here while a program is judged: it could have put another
into the real dict of a builtin type.
"""

import builtins
import collections
import sys
import types
import weakref

from guard import referents

__builtins__ = dict(vars(builtins))

_FUNCTION = types.FunctionType
_forget_lookups = sys._clear_internal_caches

# What a value's type would need to lie in a comparison.
_COMPARISONS = tuple(
    f"__{name}__"
    for name in """
    eq ne lt le gt ge bool add radd iadd sub rsub isub mul rmul imul matmul
    rmatmul truediv rtruediv floordiv rfloordiv mod rmod divmod rdivmod pow rpow
    neg pos abs round trunc floor ceil int float complex index
    """.split()
)
_LEAVES = frozenset({bool, bytearray, bytes, complex, float, int, range, str, type(None)})
# Where a type's metaclass is not known, it could make the type equal another:
# there, types are known by their addresses.
_LEAF_IDS, _TEXT_IDS = frozenset(map(id, _LEAVES)), frozenset({id(str)})
_BOXES = [(kind, kind.__iter__) for kind in (list, tuple, set, frozenset, collections.deque)]
_keys_of, _values_of = dict.keys, dict.values
_PROXY_IDS = frozenset(map(id, (weakref.ProxyType, weakref.CallableProxyType)))
_OTHER = tuple(
    f"__{name}__"
    for name in "new init repr str format hash doc getnewargs reduce reduce_ex class_getitem".split()
)
# How checks read what has these types: a subclass would say what it likes. Not
# among them is what classes commonly have for another reason.
_READINGS = {
    id(kind): {"get", "items", "keys", "values"}.union(
        name for name in vars(kind) if name.startswith("__") and name not in _OTHER
    )
    for kind in (*(box for box, _ in _BOXES), dict, str, bytes, bytearray)
}
_NOTHING = {}
_HONEST = {}
# Types that nobody can change, and that compare for themselves.
_IMMUTABLE = set()
_IS_IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE
# To compare one of these may be to compare what it holds.
_HOLDERS = set()
# All of these types, which keep their addresses.
_kept = []
_mro_of = type.__dict__["__mro__"].__get__
_dict_of = type.__dict__["__dict__"].__get__
_name_of = type.__dict__["__name__"].__get__
_REFERENCE, _referent_of = weakref.ref, weakref.ref.__call__


def remember_types():
    """Takes the types that exist now, before any program, for honest ones."""
    pending = [object]
    while pending:
        kind = pending.pop()
        if id(kind) not in _HONEST:
            own = _dict_of(kind)
            _HONEST[id(kind)] = {name: own[name] for name in _COMPARISONS if name in own}
            _kept.append(kind)
            pending.extend(type.__subclasses__(kind))
    for kind in _kept:
        bases = _mro_of(kind)[:-1]
        if any("__eq__" in _HONEST[id(base)] for base in bases) and "__call__" not in dir(kind):
            _HOLDERS.add(id(kind))
        if id(kind) not in _PROXY_IDS and all(base.__flags__ & _IS_IMMUTABLE for base in bases):
            _IMMUTABLE.add(id(kind))


def plain(value):
    """The value itself, unless comparing it would run code of the program."""
    kind = type(value)
    if type(kind) is type and kind in _LEAVES:
        return value
    pending, seen, checked = [value], {}, {}
    while pending:
        item = pending[-1]
        del pending[-1]
        kind = type(item)
        if id(kind) in _LEAF_IDS or id(item) in seen:
            continue
        seen[id(item)] = None
        if id(kind) not in _IMMUTABLE and id(kind) not in checked:
            checked[id(kind)] = None
            _check(kind)
        for box, items_of in _BOXES:
            if issubclass(kind, box):
                if not _LEAF_IDS >= set(map(id, map(type, items_of(item)))):
                    pending += items_of(item)
                break
        else:
            if issubclass(kind, dict):
                pending += _keys_of(item)
                pending += _values_of(item)
            elif issubclass(kind, _REFERENCE):
                pending += [_referent_of(item)]
            elif id(kind) in _HOLDERS:
                pending += referents(item)
    return value


def _check(kind):
    # By way of a class's dict (which a reflected `__eq__` gets of its proxy) a
    # method can be removed, and still be found where it was looked up last.
    _forget_lookups()
    names = set()
    for base in _mro_of(kind):
        own, honest = _dict_of(base), _NOTHING
        if id(base) in _HONEST:
            honest = _HONEST[id(base)]
        else:
            # A key of another type could answer to any name.
            if not _TEXT_IDS >= set(map(id, map(type, own))):
                raise TypeError("june: a result whose type has attributes without names cannot be judged")
            names |= set(own)
        for name in _COMPARISONS:
            if name in own and not (name in honest and own[name] is honest[name]):
                raise TypeError("june: a result whose type defines " + name + " cannot be judged")
        # Written in Python, it compares what methods return: here the program's.
        if names and "__eq__" in honest and type(honest["__eq__"]) is _FUNCTION:
            raise TypeError("june: a result whose type extends " + _name_of(base) + " cannot be judged")
        if id(base) in _READINGS:
            for name in names & _READINGS[id(base)]:
                raise TypeError("june: a result whose type defines " + name + " cannot be judged")
    if id(kind) in _PROXY_IDS:
        raise TypeError("june: a result that stands for another object cannot be judged")
