"""Tools from MCP servers: listed by the operator, pinned by their definitions, never trusted by what they say."""
