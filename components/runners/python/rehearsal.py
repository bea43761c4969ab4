"""Runs programs before the snapshot, so that later ones find things warm.

What CPython learns as it runs (specialised instructions, the tags of types,
where methods are, the results that `typing` remembers, the names that there
are) it writes all over the heap. An instance that learns it again copies many
pages, each at the cost of a page fault.
"""

import gc
import re
import sys
import types

import guard
import runner

# Much of what a function-sized program does; no class, which would stay.
_SOURCE = '''
import collections
import functools
import heapq
import itertools
import math
import re
import string
from collections import Counter, defaultdict, deque
from typing import Any, Callable, Dict, Iterable, List, Optional, Set, Tuple, Union

Callable[[int], int], Iterable[int], Set[int], Set[str]
Dict[int, int], Dict[str, Any], Dict[str, int], Dict[str, List[str]]
Optional[float], Optional[int], Optional[str], Optional[List[int]], Optional[Dict[str, int]]
Tuple[float, float], Tuple[int, ...], Tuple[int, int], Tuple[str, bool], Tuple[str, str]
Tuple[List[int], List[int]], Union[int, float], Union[int, str], Union[str, int, float]


def helper(n: int) -> bool:
    return n > 1 and all(n % i for i in range(2, math.isqrt(n) + 1))


def candidate(numbers: List[int], words: List[str], x: List[float], grid: List[List[int]], y: List[Any]):
    """What a program is like.

    >>> candidate([1, 2], ["a"], [0.5], [[1]], [])
    """
    found: List[bool] = []
    counts = {}
    for index, number in enumerate(sorted(set(numbers), key=lambda x: -x)):
        if helper(number):
            found.append(index)
        counts[number] = counts.get(number, 0) + 1
    text = " ".join(word.strip().lower().replace("a", "b")[::-1] for word in words)
    letters = defaultdict(int)
    for letter in text:
        if letter.isalpha() or letter.isdigit():
            letters[letter] += 1
    common = Counter(text.split()).most_common(2)
    queue = deque(found)
    while queue:
        queue.popleft()
    try:
        total = sum(map(abs, numbers)) + int("12") / 4 + math.floor(2.5) + round(2.567, 2)
        {}["missing"]
    except (KeyError, ValueError):
        total = max(numbers) - min(numbers) ** 2
    pairs = [(a, b) for a, b in zip(numbers, numbers[1:]) if a != b]
    return [f"{total} {len(pairs)}", text.startswith("x"), found[::-1], str(common), len(letters)]
'''
_CHECKS = '''
METADATA = {"author": "june", "dataset": "test"}


def check(candidate):
    expected = ["6 2", False, [1, 0], "[('bb', 1), ('c', 1)]", 2]
    assert candidate([1, 2, 7], ["ab", "c"], [0.5], [[1]], []) == expected
    assert abs(candidate([3, 4], [], [], [], [])[2][0] - 1) < 1e-6, "This prints if this fails"
    assert candidate(*[[5, 6], [], [], [], []])[1] is False
    assert tuple(candidate([5], [], [], [], [])[2]) == (0,)


check(candidate)
'''
_WRONG = _SOURCE.replace("return [f", "return [0, f")

# Other names that programs like. A new one is entered in a large table.
_NAMES = """
self __init__ args kwargs solution answer output expected actual value values
key keys item items element elements idx char chars res result results ret ans
out temp tmp current curr prev previous count counter total_ product length
size start end left right low high mid first last lst arr array nums num
num_list list1 list2 strings str1 str2 sub substring sentence sorted_list
new_list filtered unique seen stack digits digit vowels row col rows cols matrix
point points flag is_valid is_prime primes factors factor divisor remainder even
odd evens odds positive negative maximum minimum max_val min_val max_value
min_value max_len min_len depth level position target threshold operand operator
operators dict1 string1 string2 func test tests encode decode pattern match date
month day year binary decimal message prefix suffix reverse palindrome fibonacci
dp memo
"""
_kept = [sys.intern(name) for name in re.findall(r"[^\W\d]\w*", _SOURCE + _CHECKS + _NAMES)]


def run():
    """To be called after `runner.prepare`."""
    modules = dict(sys.modules)
    # It may have the last reference to a name, which would be freed in a run.
    sys._clear_type_cache()
    for _ in range(16):
        for source in (_SOURCE, _WRONG):
            program = types.SimpleNamespace(source=source, checks=_CHECKS, files=[])
            completion = runner.run(program)
            guard.stop()
            if (completion is runner._RETURNED) != (source is _SOURCE):
                raise RuntimeError("the rehearsal failed", completion)
    # As if nothing had been run.
    for name, module in modules.items():
        sys.modules.setdefault(name, module)
    guard._sealed.clear()
    runner._kept.clear()
    gc.enable()
