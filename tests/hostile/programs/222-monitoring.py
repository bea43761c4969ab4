    # task: Hostile/0 verdict: raised
    # sys.monitoring, to be called at every line of the tests.
    return a - b

import sys

tool = sys.monitoring
tool.use_tool_id(0, "june")
tool.register_callback(0, tool.events.PY_START, lambda code, offset: None)
tool.set_events(0, tool.events.PY_START)
