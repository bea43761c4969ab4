TABLE = []
for n in range(3):
    TABLE.append(n)
else:
    TABLE[0] = 0


def add(a, b):
    return a + b + TABLE[0]
