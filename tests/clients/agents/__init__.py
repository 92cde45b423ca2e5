"""Coding agents from npm, headless, each sent on one errand through a gateway to vendors of every dialect: `make
test-clients`. Too heavy for every run of the tests."""
