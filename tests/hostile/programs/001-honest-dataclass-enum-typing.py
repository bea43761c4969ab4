    # task: Hostile/0 verdict: passed
    # Honest: dataclasses, an enum, typing.NamedTuple and a generic class.
    return Sum(Kind.PLAIN, a, b).total()

import dataclasses
import enum
import typing

T = typing.TypeVar("T")

class Kind(enum.Enum):
    PLAIN = enum.auto()
    OTHER = enum.auto()

Colour = enum.Enum("Colour", "RED GREEN")

class Pair(typing.NamedTuple):
    left: int
    right: int = 0

class Box(typing.Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value

@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Sum:
    kind: Kind
    a: int
    b: int = dataclasses.field(default=0)

    def total(self) -> int:
        pair = Pair(self.a, self.b)
        return Box[int](pair.left + pair.right).value
