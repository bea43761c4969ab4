class Adder:
    base: int = 0

    def of(self, a, b):
        return self.base + a + b


async def later():
    async with lock:
        await wait()


def add(a, b):
    return Adder().of(a, b)
