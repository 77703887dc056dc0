"""A Slack support bot: a language model asks, our code decides, a person approves, and every call is logged.

Rooms, from the top down; each imports only what is below it:

    __main__     the command line
    commands     what its commands do, imported by the one that needs it
    evaluation   conversations in YAML, played with a model through the bot, and how well it did
    operator     what an operator asks beside a bot that runs: check, log
    demo         a whole workspace on one port of localhost, with an offline model
    app          the order of start and stop, and its reason
    wiring       the composition root: what each part is given
    listening    the same of what listens to Slack
    deciding     the same of what decides about requests
    ground       what all parts stand on: database, shop, tools, and who is who in Slack
    slack        all that knows slack_bolt: client, connection, intake, content, listeners, delivery, threads, users, …
    desk         what people do beside talking to the model: orders by command, button, form and link, and the Home tab
    agent        the tool loop of one thread: worker, agent, runs, tool_loop, turns, tool_calls, replies, run_ends, …
    approvals    from parked to settled: gate (whose yes), requests, clicks, decide, effects, execute, endings, cards, …
    mcp          tools from MCP servers: extra, servers, tools, connection, session, pinning, pins, definitions, …
    tools        one file a tool; tool.py says what a tool is, arguments.py its arguments, wording.py changes in words
    model        the port to a language model, and the adapter for Chat Completions
    help         the help articles that a tool searches
    blocks       what is shown in Slack, and the one door through which text goes there
    intent       what a customer wants, by structured output
    testing      a Slack workspace, a model server and tests of shops; all that it imports of the bot is the shop's port
    shop         the port to orders, customers and money; sqlite is the built-in shop
    identity     who somebody is, and the port that tells it
    callbacks    the calls that no import shows, as named Protocols
    store        everything that must be remembered; sqlite and postgres are where
    imports      Python of the operator's own that a setting names
    environment  where settings are read from, and which of them each command needs
    settings     what the operator decides
    approval_settings  who has to agree to how much
    limit_settings  what anything may cost, and how long it may take
    policy       the shop's own rules, in Markdown
    model_settings  which models are asked, where and how
    prices       what tokens cost
    currencies   how many decimals an amount has
    look_alikes  letters that look like those from A to Z
    logs         what is told on stderr, a line for each event
    metrics      what is counted for Prometheus
    tracing      what is told to OpenTelemetry, where that is wanted
    failpoints   places at which a test kills the process
    clock        what time it is, for all processes on one database
    tasks        how background work ends

A message:

    Slack -> slack/intake      is it for us? into the inbox, then "ok"
          -> agent/worker      the thread's oldest message, one run a thread, to whose end agent/agent sees
          -> agent/tool_loop   model, tools, model, until there is text
          -> agent/model_calls the conversation goes to the model, each try a row
          -> agent/tool_calls  each call a row, parsed, limited, run; a gated one is parked
          -> approvals/requests its card is queued, and nothing has happened yet
          -> slack/delivery    posts from the outbox

A click:

    Slack -> slack/listeners    "ok", and who pressed which button
          -> approvals/decide   find the call, may this person, is it as shown (else requests asks again), claim it once
                                (a form opens for a no with a reason, in decline, and for other figures, in amend)
          -> approvals/execute  run it under its key, or find out its outcome
          -> approvals/endings  what the card, the thread and the model are told
          -> approvals/cards    every card is drawn without buttons
          -> slack/delivery     posts from the outbox
          -> agent/reading      reads the outcome as a note, with the next message

States of a tool call: running -> succeeded | failed | rejected. Of a gated one:
proposed -> pending | rejected | failed; pending -> running | cancelled | declined | expired | failed;
running -> succeeded | failed | unknown; unknown -> succeeded | failed.

Calls that no import shows, all joined in wiring: intake wakes the worker (WakeThread), and so do the approvals after a
customer's own change; intake tells the executor that a message was changed (MessageChanged), the agent that a run was
stopped (RunStopped), and the desk that somebody opened their Home tab (HomeOpened) or their messages (MessagesOpened),
or shared or opened a link (LinkEvent); the agent shows a status (ShowStatus), how a thread stands (ShowSession), the
steps of a run (ShowSteps, EndSteps) and an answer while it is written (ShowDraft, EndDraft), and reads what was said
above in a thread (ReadAbove), what files say in words (DescribeFiles) and pictures (FetchFile); the desk begins a
thread through delivery (PostNow); delivery tells the approvals of a card that was lost (CardLost); the outbox tells
delivery which channel has a post (OutboxNews).

Errors: SettingsError, StartError, DatabaseError and ConnectionLostError end the process with one line. RunError,
ModelError and IdentityError end a run with plain words and a reference. ToolError is read by the model, ToolCrashError
leaves an outcome unknown, ShopRefusedError says that nothing has moved and ShopUnavailableError that nothing was begun;
whatever else a shop raises leaves the outcome unknown. LostLeaseError leaves a thread to the process that has
it.
"""
