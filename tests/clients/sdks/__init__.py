"""The SDKs as clients that can have the conversations of talk: those in Python here, those in JavaScript by npm."""
