// The official Google client; its chats keep their own history.
import { GoogleGenAI } from "@google/genai";
import { colour, heard, tool } from "./words.mjs";

const clients = new Map();

function clientOf({ url, key }) {
  const name = `${url} ${key}`;
  if (!clients.has(name)) clients.set(name, new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } }));
  return clients.get(name);
}

export function openGemini({ manner, ...where }) {
  const client = clientOf(where);
  let history = [];
  let calls = [];
  const config = {};
  if (manner.tools) {
    const declared = { name: tool.name, description: tool.description, parametersJsonSchema: tool.schema };
    config.tools = [{ functionDeclarations: [declared] }];
  }
  if (manner.thinks) config.thinkingConfig = { includeThoughts: true, thinkingBudget: 2048 };

  async function gathered(stream) {
    const answers = [];
    for await (const answer of stream) answers.push(answer);
    return answers;
  }

  async function next(model, message) {
    const chat = client.chats.create({ model, config, history });
    const answers = manner.streams
      ? await gathered(await chat.sendMessageStream({ message }))
      : [await chat.sendMessage({ message })];
    history = chat.getHistory();
    const said = answers.flatMap((answer) => answer.candidates?.[0]?.content?.parts ?? []);
    calls = said.filter((part) => part.functionCall).map((part) => part.functionCall);
    const { usageMetadata: usage, candidates } = answers.at(-1);
    const reason = candidates[0].finishReason;
    return heard({
      text: said.filter((part) => part.text && !part.thought).map((part) => part.text).join(""),
      thinking: said.filter((part) => part.text && part.thought).map((part) => part.text).join(""),
      calls: calls.map((call) => [call.name, call.args]),
      ended: reason === "STOP" ? (calls.length ? "calls" : "done") : reason,
      usage: [usage.promptTokenCount, usage.candidatesTokenCount + (usage.thoughtsTokenCount ?? 0)],
    });
  }

  return {
    async ask({ model, text, picture }) {
      const image = { inlineData: { mimeType: "image/png", data: picture } };
      return next(model, picture ? [{ text }, image] : text);
    },
    async give({ model, results }) {
      const parts = results.map((result, at) => {
        const { id, name } = calls[at];
        return { functionResponse: { ...(id ? { id } : {}), name, response: { result } } };
      });
      return next(model, parts);
    },
    async describe({ model }) {
      const config = { responseMimeType: "application/json", responseJsonSchema: colour };
      const asked = { model, contents: "describe", config };
      if (!manner.streams) return JSON.parse((await client.models.generateContent(asked)).text);
      const answers = await gathered(await client.models.generateContentStream(asked));
      return JSON.parse(answers.map((answer) => answer.text ?? "").join(""));
    },
    async models() {
      const ids = [];
      for await (const listed of await client.models.list()) ids.push(listed.name.replace("models/", ""));
      return ids;
    },
  };
}
