    # task: Hostile/1 verdict: out-of-fuel
    # Sorts objects whose __lt__ sorts again, without end.
    class Evil:
        def __lt__(self, other):
            while True:
                sorted(range(1000), reverse=True)
    return sorted([Evil(), Evil()])[0]
