"""Whether programs are what the request is about."""

from pointsman.routing.reading import Words

code = Words("code", "code", 0.4, 0.7, 0.9, 1.0, meaning="Words of programming and bits of source text.")


technical = Words("technical", "technical", 0.4, 0.7, 0.85, 1.0, meaning="Words of those who build systems.")
