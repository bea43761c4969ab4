    # task: Hostile/0 verdict: out-of-fuel|raised
    # Runs an asyncio loop whose task never ends; the platform may lack the sockets an event loop wants.
    import asyncio
    async def spin():
        while True:
            await asyncio.sleep(0)
    asyncio.run(spin())
    return a + b
