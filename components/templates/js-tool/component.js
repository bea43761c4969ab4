// {{name}}: counts words.
//
// A component of `world tool` (see wit/). `toolHandler` is what it exports.

// JSON Schema of the arguments. The descriptions are for the model.
const parameters = {
  type: "object",
  properties: { text: { type: "string", description: "The text whose words to count." } },
  required: ["text"],
  additionalProperties: false,
};

export const toolHandler = {
  // What the tool is called, when to use it, and what it takes.
  describe() {
    return {
      name: "{{name}}",
      description: "Counts the words of a text.",
      parameters: JSON.stringify(parameters),
    };
  },

  // Does the work, given a JSON object that satisfies the schema.
  call(json) {
    const words = JSON.parse(json).text.split(/\s+/).filter(Boolean);
    if (words.length === 0) {
      throw { tag: "failed", val: "there are no words in the text" };
    }
    return `${words.length} words`;
  },
};
