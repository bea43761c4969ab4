"""Fills the holes in the heap, so that what a program allocates lies together.

An instance shares the snapshot's pages until it writes to one, which costs a
page fault and a copy. After many imports the allocator has free blocks all
over the heap, and a program's objects would be written into hundreds of pages.
With every hole filled, they go to a few fresh pages at the end.
"""

_kept = []


def fill():
    # Large blocks come from malloc, small ones (up to 512 bytes) from pools of
    # one size each, a multiple of 8. A bytes object is 17 bytes longer than its
    # content.
    for size in (1 << 16, 1 << 15, 1 << 14, 1 << 13, 1 << 12, 1 << 11, 1 << 10, 800, 640, 536):
        _fill(lambda size=size: bytes(size - 17))
    for size in range(512, 23, -8):
        _fill(lambda size=size: bytes(size - 17))
    _fill(object)


def _fill(make):
    """Allocates until several blocks in a row come from the end of the heap."""
    global _end
    at_end = 0
    while at_end < 3:
        block = make()
        _kept.append(block)
        if id(block) > _end:
            _end = id(block)
            at_end += 1
        else:
            at_end = 0


_end = 0
