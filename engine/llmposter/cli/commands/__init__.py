"""One command a module, which holds a function of its own name; nothing registers it."""
