"""What chat programs want done about a conversation, unseen by their users, goes to the weakest tier: it comes with every
conversation, and its instructions sound harder than it is."""

# ruff: noqa: RUF001 - marks and letters of other scripts

import pytest
from everyday import default_router, prompt_of, third_of

from pointsman.core.decision import Decision
from pointsman.routing.decide import Router
from pointsman.routing.policy import default_policy

SOUP = """USER: What goes into a lentil soup that children like?
ASSISTANT: Red lentils, carrots, one onion, a litre of broth. Simmer for half an hour, then purée it. Compare brands of
broth, because some hold far more salt than others, and analyse the label."""

DEMANDS = """### Guidelines:
- Analyse the whole exchange, compare its themes and weigh which of them matter; the answer must be precise.
- Make sure that it is consistent, never invent anything, and keep to the language of the user.
- Your whole answer must be one JSON object without any further text or code fence.
"""

CHORES = {
    "title": f"### Task:\nGenerate a title summarizing the chat history in 3 to 5 words.\n{DEMANDS}### Output:\n"
    f'JSON format: {{ "title": "..." }}\n### Chat History:\n<chat_history>\n{SOUP}\n</chat_history>',
    "tags": f"### Task:\nGenerate broad tags categorizing the themes of the chat history, and specific ones beside them.\n"
    f'{DEMANDS}JSON format: {{ "tags": ["a", "b"] }}\n<chat_history>\n{SOUP}\n</chat_history>',
    "follow-ups": f"### Task:\nSuggest follow-up questions that the user might ask in this conversation.\n{DEMANDS}"
    f"### Chat History:\n<chat_history>\n{SOUP}\n</chat_history>",
    "next": f"Write three messages which the user is likely to send next.\n{DEMANDS}\nConversation:\n{SOUP}",
    "searches": f"### Task:\nAnalyze the chat history to determine whether search queries are needed, and give them as"
    f" JSON.\n{DEMANDS}<chat_history>\n{SOUP}\n</chat_history>",
    "session": f"Here is a conversation between a user and an assistant.\n\n<messages>\n{SOUP}\n</messages>\n\nReply with a"
    " title for this conversation, at most six words, no quotes.",
    "short": "Generate a title for this conversation:\n\nProve that the square root of two is irrational, and explain why.",
    "name": f"Based on the chat history, give this conversation a name. At most 10 characters, in its own"
    f" language.\n\n{SOUP}",
    "zh": f"请根据以下对话，用不超过十个字总结出一个标题，不要标点，不要解释。\n\n用户：为什么汤会太咸？请分析原因并比较不同的做法。\n助手：{'因为汤里放了太多的盐，应该加水。' * 12}",
    "ja": f"次の会話に短いタイトルを付けてください。説明は不要です。\n\nユーザー：なぜスープが塩辛いのか分析して比較してください。\nアシスタント：{'塩を入れすぎたからです。' * 14}",
    "ru": "Придумай заголовок из пяти слов для следующего диалога, без кавычек.\n\nПользователь: почему суп пересолен?"
    f" Проанализируй причины и сравни рецепты.\nАссистент: {'Потому что соли было слишком много. ' * 10}",
    "de": f"Formuliere einen Titel für die folgende Unterhaltung, höchstens sechs Wörter.\n\nNutzer: Warum ist die Suppe"
    f" versalzen? Analysiere die Ursachen.\nAssistent: {'Weil zu viel Salz hineinkam. ' * 12}",
    "es": f"Escribe un título para la siguiente conversación, de cinco palabras como máximo.\n\nUsuario: ¿Por qué está salada"
    f" la sopa? Analiza las causas.\nAsistente: {'Porque tenía demasiada sal. ' * 12}",
    "fr": f"Donne un titre pour la conversation suivante, en cinq mots.\n\nUtilisateur : pourquoi la soupe est-elle trop salée"
    f" ? Analyse les causes.\nAssistant : {'Parce qu il y avait trop de sel. ' * 12}",
}

NO_CHORES = {
    "program": "Write a Python service with an HTTP API that stores chats in PostgreSQL, and generates a title for each one with"
    " a language model in the background; handle retries and concurrent edits, and explain the design.",
    "review": "Refactor our React chat: the sidebar must show a title for each thread, the reducer must keep the chat history"
    " normalised, and the tests must cover the race between two tabs. Explain the trade-offs of the architecture.",
    "advice": f"Analyse this conversation and explain step by step why the negotiation failed, what each side believed, and how"
    f" you would have led it.\n\n{SOUP * 3}",
}


@pytest.fixture(scope="module")
def router() -> Router:
    return default_router()


def decided(router: Router, wish: str) -> Decision:
    return router.decide(prompt_of({"turns": [wish]}), default_policy().profiles[0], "auto")


@pytest.mark.parametrize("chore", CHORES)
def test_chore_about_a_conversation_is_easy(router: Router, chore: str) -> None:
    decision = decided(router, CHORES[chore])

    assert third_of(decision.tier or "") == "easy", decision.shares


@pytest.mark.parametrize("wish", NO_CHORES)
def test_wish_that_speaks_of_titles_and_chats_is_no_chore(router: Router, wish: str) -> None:
    decision = decided(router, NO_CHORES[wish])

    assert "chore" not in {name for name, _, _ in decision.shares}
    assert third_of(decision.tier or "") != "easy"
