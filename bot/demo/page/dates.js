// Writes times as Slack writes them, in the reader's time zone.

const LOCALE = "en-US"; // the page's words are English, so its months are too
const HALF_A_YEAR = 182 * 86_400_000;

const format = (date, options) => new Intl.DateTimeFormat(LOCALE, options).format(date);

/** Turn a message's ts into a Date. */
export const dateOf = (ts) => new Date(Number(ts) * 1000);

export const clock = (date) => format(date, { hour: "numeric", minute: "2-digit" });
export const clockWithSeconds = (date) => format(date, { hour: "numeric", minute: "2-digit", second: "2-digit" });
export const fullDate = (date) => format(date, { dateStyle: "full", timeStyle: "medium" });

/** Name a day as "today", "yesterday" or "tomorrow", or null when it is none of them. */
function nearDay(date) {
  const midnight = (value) => new Date(value.getFullYear(), value.getMonth(), value.getDate()).getTime();
  const days = Math.round((midnight(date) - midnight(new Date())) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? null;
}

const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** Name the day of a date divider. */
export const dayLabel = (date) =>
  capital(nearDay(date) ?? format(date, { weekday: "long", month: "long", day: "numeric" }));

/** Say when, for "Last reply …". */
export const whenLabel = (date) =>
  `${nearDay(date) ?? format(date, { month: "short", day: "numeric" })} at ${clock(date)}`;

/** Say how long something took. */
export function duration(milliseconds) {
  if (milliseconds < 1) return "<1 ms";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.floor(milliseconds / 60_000)} min ${Math.round((milliseconds % 60_000) / 1000)} s`;
}

function ago(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  const units = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? units[3];
  return new Intl.RelativeTimeFormat(LOCALE).format(Math.round(seconds / size), unit);
}

const TOKENS = {
  date_num: (date) => new Intl.DateTimeFormat("en-CA", { dateStyle: "short" }).format(date), // 2026-11-22
  date_slash: (date) => format(date, { year: "numeric", month: "2-digit", day: "2-digit" }),
  date: (date) => format(date, { month: "long", day: "numeric", ...year(date) }),
  date_short: (date) => format(date, { month: "short", day: "numeric", ...year(date) }),
  date_long: (date) => format(date, { weekday: "long", month: "long", day: "numeric", ...year(date) }),
  time: clock,
  time_secs: clockWithSeconds,
  ago,
};

// Slack leaves the year out when the date is less than six months away.
const year = (date) => (Math.abs(date.getTime() - Date.now()) > HALF_A_YEAR ? { year: "numeric" } : {});

/** Fill the tokens of a `<!date^…>`; unknown tokens stay as they are. */
export function fillDate(unixSeconds, pattern, startsSentence = false) {
  const date = new Date(unixSeconds * 1000);
  const words = pattern.replace(/\{(\w+)\}/g, (token, name) => {
    const pretty = name.endsWith("_pretty");
    const plain = pretty ? name.slice(0, -"_pretty".length) : name;
    if (!(plain in TOKENS)) return token;
    return (pretty && nearDay(date)) || TOKENS[plain](date);
  });
  return startsSentence ? capital(words) : words;
}
