    # task: Hostile/0 verdict: failed|raised
    # Puts the library's own __eq__ back into its class's real dict, while the interpreter remembers another.
    from collections import UserList
    return UserList()

import collections

class Thief:
    def __eq__(self, other):
        self.table = other
        return True

honest = collections.UserList.__eq__
collections.UserList.__eq__ = lambda self, other: True
for _ in range(10): collections.UserList() == 5
thief = Thief()
vars(collections.UserList) == thief
kept = thief.table["__eq__"]
for _ in range(10): collections.UserList() == 5
thief.table["__eq__"] = honest
