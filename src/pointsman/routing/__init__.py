"""From a prompt, the known models and a policy to a decision. No I/O and no clock; nothing is sent from here."""
