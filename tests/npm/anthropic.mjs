// One call of the official Anthropic client; prints what it made of the answer as JSON.
// usage: node anthropic.mjs CASE BASE_URL KEY MODEL
import Anthropic from "@anthropic-ai/sdk";

const [what, baseURL, apiKey, model] = process.argv.slice(2);
const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 });
const asked = { model, max_tokens: 300, messages: [{ role: "user", content: "What colour is the lamp?" }] };
const tools = [
  {
    name: "lookup_word",
    description: "Looks a word up.",
    input_schema: { type: "object", properties: { key: { type: "string" } }, required: ["key"] },
  },
];

function textOf(message) {
  return message.content
    .filter((block) => block.type === "text")
    .map((block) => block.text)
    .join("");
}

function callsOf(message) {
  return message.content
    .filter((block) => block.type === "tool_use")
    .map((block) => ({ id: block.id, name: block.name, arguments: block.input }));
}

const cases = {
  async messages() {
    const answer = await client.messages.create(asked);
    return { text: textOf(answer), finish: answer.stop_reason, usage: answer.usage };
  },

  async "messages-stream"() {
    const stream = client.messages.stream(asked);
    let pieces = 0;
    stream.on("text", () => (pieces += 1));
    const answer = await stream.finalMessage();
    return { text: textOf(answer), pieces, finish: answer.stop_reason, usage: answer.usage };
  },

  async "messages-tools"() {
    const answer = await client.messages.create({ ...asked, tools });
    return { calls: callsOf(answer), finish: answer.stop_reason };
  },

  async "messages-tools-stream"() {
    const answer = await client.messages.stream({ ...asked, tools }).finalMessage();
    return { calls: callsOf(answer), finish: answer.stop_reason };
  },

  async models() {
    const ids = [];
    for await (const listed of client.models.list()) ids.push(listed.id);
    return { ids };
  },

  async error() {
    try {
      await client.messages.create(asked);
    } catch (error) {
      return { class: error.constructor.name, status: error.status, type: error.type ?? null, message: error.message };
    }
    return { class: null };
  },
};

console.log(JSON.stringify(await cases[what]()));
