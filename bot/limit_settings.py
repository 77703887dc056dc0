"""What a message, a person and a process may cost, and how long anything is waited for."""

from pydantic import Field
from pydantic_settings import BaseSettings


class LimitFields(BaseSettings):
    """The part of the settings that is about limits and time."""

    max_steps: int = Field(
        8, ge=1, le=50, validation_alias="BOT_MAX_STEPS", description="Model calls that one message may cost at most."
    )
    max_calls: int = Field(
        10,
        ge=1,
        le=100,
        validation_alias="BOT_MAX_CALLS",
        description="Tool calls that one model turn may make at most.",
    )
    calls_per_thread_hour: int = Field(
        60,
        ge=1,
        validation_alias="BOT_CALLS_PER_THREAD_HOUR",
        description="Tool calls that one person may have made in a thread an hour.",
    )
    requests_per_thread_day: int = Field(
        5,
        ge=1,
        validation_alias="BOT_REQUESTS_PER_THREAD_DAY",
        description="Requests for approval (of one tool) that a person may make in a thread a day, refused ones too.",
    )
    requests_per_user_day: int = Field(
        8,
        ge=1,
        validation_alias="BOT_REQUESTS_PER_USER_DAY",
        description="Requests for approval (of one tool) that a person may make in all a day, refused ones too.",
    )
    runs_per_user_hour: int = Field(
        60,
        ge=1,
        validation_alias="BOT_RUNS_PER_USER_HOUR",
        description="Messages of one person that are answered an hour; one that joins an answer under way is free.",
    )
    tokens_per_user_hour: int = Field(
        1_000_000,
        ge=1_000,
        validation_alias="BOT_TOKENS_PER_USER_HOUR",
        description="Tokens after which a person's further messages of the hour wait, as the model counts them.",
    )
    escalations_per_user_hour: int = Field(
        5,
        ge=1,
        validation_alias="BOT_ESCALATIONS_PER_USER_HOUR",
        description="Times that people are called for one person an hour, urgent messages included.",
    )
    clicks_per_user_hour: int = Field(
        120,
        ge=1,
        validation_alias="BOT_CLICKS_PER_USER_HOUR",
        description="Presses of buttons by one person that are looked at an hour.",
    )
    max_runs: int = Field(
        500,
        ge=1,
        validation_alias="BOT_MAX_RUNS",
        description="Messages that one process answers at once; others wait, and who has the fewest comes first.",
    )
    tokens_per_run: int = Field(
        100_000,
        ge=1_000,
        validation_alias="BOT_TOKENS_PER_RUN",
        description="Tokens that answering one message may cost, as the model counts them.",
    )
    history_tokens: int = Field(
        24_000,
        ge=1_000,
        validation_alias="BOT_HISTORY_TOKENS",
        description="Tokens of a thread, estimated, that the model reads; what is older becomes a line of facts.",
    )
    tool_timeout_seconds: float = Field(
        15, gt=0, validation_alias="BOT_TOOL_TIMEOUT_SECONDS", description="Seconds that one tool call may take."
    )
    run_timeout_seconds: float | None = Field(
        None,
        gt=0,
        validation_alias="BOT_RUN_TIMEOUT_SECONDS",
        description="Seconds that answering a message may take; three times those of a model call when not set.",
    )
    stale_minutes: float = Field(
        15,
        gt=0,
        validation_alias="BOT_STALE_MINUTES",
        description="Minutes after which a message that was found late is asked about before anything is done.",
    )
    direct_message_minutes: float = Field(
        30,
        ge=0,
        validation_alias="BOT_DIRECT_MESSAGE_MINUTES",
        description="Minutes after the bot's last word in which a direct message goes on in the same conversation.",
    )
    lines_seconds: float = Field(
        0.3,
        ge=0,
        le=10,
        validation_alias="BOT_LINES_SECONDS",
        description="Seconds to wait in a direct message or a thread for the next line, before the model is asked.",
    )
    lease_seconds: float = Field(
        15,
        gt=0,
        validation_alias="BOT_LEASE_SECONDS",
        description="Seconds without a sign of life after which another process on the same database takes over.",
    )
    sweep_seconds: float = Field(
        5,
        gt=0,
        validation_alias="BOT_SWEEP_SECONDS",
        description="Seconds between two looks at requests: what expires, what is reminded of, what is paused.",
    )
    refund_watch_days: float = Field(
        30,
        ge=0,
        le=365,
        validation_alias="BOT_REFUND_WATCH_DAYS",
        description="Days for which a refund that was made is looked at once a day, as a provider may fail it later.",
    )
    silence_seconds: float = Field(
        40,
        gt=0,
        validation_alias="BOT_SILENCE_SECONDS",
        description="Seconds of silence until Socket Mode is connected again; after three times as many the bot ends.",
    )
    stop_seconds: float = Field(
        10, gt=0, validation_alias="BOT_STOP_SECONDS", description="Seconds that finishing work may take at a stop."
    )
