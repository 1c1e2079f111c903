"use strict";
(() => {
  const all = () => document.querySelectorAll("details");
  const button = document.getElementById("open-all");
  const label = (open) => { button.textContent = open ? "Close all" : "Open all"; };
  let open = false;
  button.hidden = false;
  button.addEventListener("click", () => {
    open = !open;
    all().forEach((item) => { item.open = open; });
    label(open);
  });
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") { target.open = true; }
  };
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", () => all().forEach((item) => { item.open = true; }));
  reveal();
})();
