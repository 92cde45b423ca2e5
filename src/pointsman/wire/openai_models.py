"""OpenAI's models by their names, wherever they are served: bare, behind a vendor (`openai/gpt-5.2`) or as Bedrock writes
them (`openai.gpt-5.5`). What follows from it is each dialect's own."""

import re

REASONS = re.compile(r"(?:^|[/.])(?:o\d(?:-|$)|gpt-[5-9]|codex)(?!.*-chat)")
"""Models that reason: they take no sampling parameters."""

GPT_5 = re.compile(r"(?:^|[/.])gpt-5")
GPT_5_POINT = re.compile(r"(?:^|[/.])gpt-(?:5\.\d|[6-9])")
"""Those that think only when told to."""

XHIGH = re.compile(r"(?:^|[/.])gpt-(?:5\.[2-9]|[6-9])|codex-max")
