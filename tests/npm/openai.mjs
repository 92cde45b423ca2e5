// One call of the official OpenAI client; prints what it made of the answer as JSON.
// usage: node openai.mjs CASE BASE_URL KEY MODEL
import OpenAI from "openai";

const [what, baseURL, apiKey, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "What colour is the lamp?" }];
const tools = [
  {
    type: "function",
    function: {
      name: "lookup_word",
      description: "Looks a word up.",
      parameters: { type: "object", properties: { key: { type: "string" } }, required: ["key"] },
    },
  },
];

function callsOf(message) {
  return (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments),
  }));
}

const cases = {
  async chat() {
    const answer = await client.chat.completions.create({ model, messages });
    const [choice] = answer.choices;
    return { text: choice.message.content, finish: choice.finish_reason, usage: answer.usage };
  },

  async "chat-stream"() {
    const stream = await client.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let pieces = 0;
    let finish = null;
    let usage = null;
    for await (const chunk of stream) {
      const [choice] = chunk.choices;
      if (choice?.delta?.content) {
        text += choice.delta.content;
        pieces += 1;
      }
      finish = choice?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    return { text, pieces, finish, usage };
  },

  async "chat-tools"() {
    const answer = await client.chat.completions.create({ model, messages, tools });
    const [choice] = answer.choices;
    return { calls: callsOf(choice.message), finish: choice.finish_reason };
  },

  async "chat-tools-stream"() {
    const runner = client.chat.completions.stream({ model, messages, tools });
    const answer = await runner.finalChatCompletion();
    const [choice] = answer.choices;
    return { calls: callsOf(choice.message), finish: choice.finish_reason };
  },

  async models() {
    const ids = [];
    for await (const listed of client.models.list()) ids.push(listed.id);
    return { ids };
  },

  async error() {
    try {
      await client.chat.completions.create({ model, messages });
    } catch (error) {
      return { class: error.constructor.name, status: error.status, code: error.code, message: error.message };
    }
    return { class: null };
  },
};

console.log(JSON.stringify(await cases[what]()));
