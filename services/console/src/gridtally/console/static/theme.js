// Before the first paint: what the user chose, else what the system has.
(() => {
  const chosen = localStorage.getItem("gridtally-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
})();
