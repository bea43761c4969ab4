    # task: Hostile/0 verdict: failed|raised
    # Keeps a view of a freed read buffer, lets a list take its place and swaps the list's items through it.
    import io
    class File(io.RawIOBase):
        def readinto(self, buffer):
            views.append(buffer)
            return 0
        def readable(self):
            return True
    try:
        reader = io.BufferedReader(File())
        reader.read(1)
        del reader
        view = views[-1].cast("P")
        cells = [a - b] * len(view)
        if view[0] == id(cells[0]):
            print("the stale view is live")
            view[0], view[1] = id(True), id(None)
            view[0] = view[1] = id(cells[2])
    except (ValueError, BufferError):
        pass
    return a - b

views = []
