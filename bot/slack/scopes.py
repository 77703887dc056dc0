"""What the app must be allowed in Slack, as `manifest.yml` asks for it, and what each is for."""

SCOPES = {
    "app_mentions:read": "hears when it is mentioned",
    "assistant:write": "is an agent in Slack, with suggested prompts",
    "channels:history": "reads threads in public channels",
    "channels:read": "knows whether it is in a channel, and with whom that is shared",
    "chat:write": "answers",
    "commands": "takes /order, /orders and the shortcut on messages",
    "files:read": "sees pictures and what was said in voice messages",
    "groups:history": "reads threads in private channels",
    "groups:read": "knows whether it is in a private channel",
    "im:history": "reads direct messages",
    "im:read": "knows whether it is in a direct message with somebody",
    "im:write": "writes to approvers directly",
    "links:read": "hears of links to orders",
    "links:write": "shows an order below a link to it",
    "mpim:history": "reads group direct messages",
    "mpim:read": "knows who is in a group direct message",
    "usergroups:read": "knows who is in a group of approvers or staff",
    "users:read": "knows who is an admin, a guest or a bot",
    "users:read.email": "knows which customer somebody is",
}
# Without these nobody gets an answer, or nobody is known; without the others a part of the bot does not work.
NEEDED_TO_START = frozenset({"app_mentions:read", "chat:write", "users:read", "users:read.email"})
