// Signing in from a frame: opens a window of its own, and takes over the session that it hands back by a one-time code.
(() => {
  const open = document.getElementById("open-window");
  const form = document.getElementById("take-over");
  if (open && form) {
    let opened = null;
    addEventListener("message", (event) => {
      const code = event.data && event.data.handOver;
      if (event.origin !== location.origin || event.source !== opened || typeof code !== "string") return;
      form.elements.code.value = code;
      form.submit();
    });
    open.addEventListener("click", () => {
      opened = window.open(open.dataset.path, "_blank", "popup,width=560,height=760");
      if (!opened) document.getElementById("no-window").hidden = false;
    });
    open.hidden = false;
  }
  const handOver = document.getElementById("hand-over");
  if (handOver) {
    if (window.opener) {
      window.opener.postMessage({ handOver: handOver.dataset.code }, location.origin);
      window.close();
    }
    document.getElementById("no-opener").hidden = false;
  }
})();
