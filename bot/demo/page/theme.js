// Sets light, dark or the system's colours before the first paint, and remembers the choice.
(() => {
  const KEY = "support-bot-theme";
  const ORDER = ["system", "light", "dark"];

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is switched off: the choice lasts until the reload
    }
  };

  const apply = (theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };

  let current = ORDER.includes(stored()) ? stored() : "system";
  apply(current);

  window.theme = {
    get current() {
      return current;
    },
    next() {
      current = ORDER[(ORDER.indexOf(current) + 1) % ORDER.length];
      apply(current);
      try {
        localStorage.setItem(KEY, current);
      } catch {
        // as above
      }
    },
  };
})();
