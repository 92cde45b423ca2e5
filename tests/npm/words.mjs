// What all conversations have in common.
export const tool = {
  name: "look_up",
  description: "Looks a word up.",
  schema: { type: "object", properties: { key: { type: "string" } }, required: ["key"] },
};

export const colour = {
  type: "object",
  properties: { colour: { type: "string" }, count: { type: "integer" } },
  required: ["colour", "count"],
  additionalProperties: false,
};

const facts = { bird: "a robin", tree: "an oak", stone: "a flint" };

export function lookUp({ key }) {
  return facts[key];
}

export function heard({ text, thinking, calls, ended, usage }) {
  return { text: text ?? "", thinking: thinking ?? "", calls, ended, usage };
}
