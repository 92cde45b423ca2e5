"""Whether programs are what the request is about."""

from pointsman.routing.reading import Words

code = Words("code", "code", 0.6, 0.8, 0.9, 1.0, meaning="Words of programming and bits of source text.")


technical = Words("technical", "technical", 0.24, 0.5, 0.8, 1.0, meaning="Words of those who build systems.")
