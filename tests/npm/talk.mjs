// The JavaScript SDKs behind standard input and output: one JSON command per line, one JSON answer per line.
//   {"do": "open", "sdk": NAME, "url": URL, "key": KEY, "manner": {"streams", "tools", "thinks"}}  ->  {"talk": NUMBER}
//   {"do": "ask" | "give" | "describe" | "models", "talk": NUMBER, ...}                            ->  {"heard": ...}
// What an SDK throws is answered as {"failure": {"kind", "status", "message"}}.
import { createInterface } from "node:readline";
import { aiAnthropic, aiOpenAiCompatible } from "./ai.mjs";
import { openGemini } from "./gemini.mjs";
import { openMessages } from "./messages.mjs";
import { openChat, openResponses } from "./openai.mjs";

const sdks = {
  openai: openChat,
  "openai-responses": openResponses,
  anthropic: openMessages,
  "google-genai": openGemini,
  "ai-openai-compatible": aiOpenAiCompatible,
  "ai-anthropic": aiAnthropic,
};
const talks = [];

async function obey({ do: what, talk, sdk, ...given }) {
  if (what === "open") {
    talks.push(sdks[sdk](given));
    return { talk: talks.length - 1 };
  }
  try {
    return { heard: await talks[talk][what](given) };
  } catch (error) {
    const status = error.status ?? error.statusCode ?? error.lastError?.statusCode ?? null;
    return { failure: { kind: error.constructor.name, status, message: error.message, stack: error.stack } };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line))));
}
