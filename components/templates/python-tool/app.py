"""{{name}}: counts words.

A component of `world tool` (see wit/). `tool_handler` is what it exports.
"""

import json

from componentize_py_types import Err
from wit_world.exports.tool_handler import CallError_Failed
from wit_world.imports.types import ToolSpec

#: JSON Schema of the arguments. The descriptions are for the model.
PARAMETERS = {
    "type": "object",
    "properties": {"text": {"type": "string", "description": "The text whose words to count."}},
    "required": ["text"],
    "additionalProperties": False,
}


class ToolHandler:
    def describe(self):
        """What the tool is called, when to use it, and what it takes."""
        return ToolSpec("{{name}}", "Counts the words of a text.", json.dumps(PARAMETERS))

    def call(self, arguments):
        """Does the work; `arguments` is a JSON object that satisfies the schema."""
        words = json.loads(arguments)["text"].split()
        if not words:
            raise Err(CallError_Failed("there are no words in the text"))
        return f"{len(words)} words"
