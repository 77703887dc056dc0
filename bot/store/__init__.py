"""Everything the bot must remember: threads, messages, calls, and what is still to be said.

`store` and `requests` have the ports; `records`, `calls`, `bounds` and `overviews` have their values, `errors` what
they raise. `tables` is the store behind them, over tables that are in a SQLite file (`sqlite`) or in PostgreSQL
(`postgres`); `opening` opens the one that a setting names, `reading` reads it beside a bot, `moving` moves it.

Tables, each with the module of `bot.store.tables` that owns it:

    threads         threads            a conversation that is ours: its intent, whether people have it; leases writes
                                       who has it
    ratings         threads            what people say that answers were worth
    inbox           inbox_rows         messages of people, which inbox takes and gives out:
                                       unclaimed -> waiting -> running -> done | failed
    messages        messages           the conversation as the model reads it
    tool_calls      calls              tool calls and what people look up; approval_requests, yeses and open_requests
                                       move those that wait for somebody
    model_calls     calls              the log of requests to the model
    refused_clicks  approval_requests  who pressed a button in vain
    outbox          outbox_rows        what is to be said, which outbox takes and gives out: waiting -> sent | failed
    relays          outbox_rows        below which posts the team's answers are passed on, and to which thread
    places          threads            in which later messages of a direct message a conversation goes on
    erased_messages inbox_rows         what is known again, for some days, when Slack delivers it once more
    usage           usage              what each person has used within the last hour
    bounds_told     usage              which bound a person was told of, and until when it holds
    sealed_calls    seals              the chain of hashes over the finished calls
    audit           audit              who did what from the command line
    seal_chain      seals              how many entries the chain has had, counted one at a time
    channels        outbox             when a channel is free, at Slack's pace
    processes       leases             which processes are alive
    switches        switches           what the operator has switched
    refund_checks   refund_checks      money that has gone back, and whether it has failed after all

An owner alone writes its table, but for the part that is said here to be another module's, and gives the others
functions for their transactions, `erase_…` among them (those of calls and posts in `erased_calls` and `erased_posts`):
`erasure` calls them in an order that the references between the rows allow.

A thread is one column, `thread` (`ThreadId.key`): the database makes it of team, channel and ts, which are spelled
where a row is made and nowhere else. A post is `about` a thread, wherever it is posted: it holds words of it.

Processes share the tables. What is read first and written then holds a lock meanwhile: on a thread, a person, a
channel, and the chain of seals, in this order. In SQLite one transaction at a time has the file anyway.

Ways to write (`tables.database.Database`):

    commit      durable before it returns: for what anybody is told of or acts on
    run_ahead   may return before its commit: only for what is recomputed after a crash, and nobody was told
    enqueue     not awaited: for rows of the log, there before anything that is written later under the same lock
    read        sees all that was asked for before it, under the same lock

States of a tool call; those without a way out are final, which triggers in the database hold:

    not gated   proposed or running -> succeeded | failed | rejected
    gated       proposed -> pending | rejected | failed
                pending -> running | cancelled | declined | expired | failed
                running -> succeeded | failed | unknown
                unknown -> succeeded | failed
"""
