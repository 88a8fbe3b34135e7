// Passkeys: asks our server for a question, has the browser answer it, and sends the answer. Without it the page says what else helps.
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const send = async (path, fields) => {
    const options = { method: "POST", body: new URLSearchParams(fields), redirect: "manual" };
    const response = await fetch(path, options).catch(() => null);
    if (!response) throw new Error("There is no connection at the moment, so nothing was changed. Try again in a minute.");
    const json = (response.headers.get("content-type") || "").startsWith("application/json");
    if (!json) throw new Error("You are not signed in any more, so nothing was changed. Load this page again and sign in.");
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.problem);
    return answer;
  };

  const create = async (options) => {
    options.challenge = bytes(options.challenge);
    options.user.id = bytes(options.user.id);
    for (const each of options.excludeCredentials || []) each.id = bytes(each.id);
    const made = await navigator.credentials.create({ publicKey: options });
    const transports = made.response.getTransports ? made.response.getTransports() : [];
    return [made, { attestationObject: text(made.response.attestationObject), transports }];
  };

  const get = async (options) => {
    options.challenge = bytes(options.challenge);
    const made = await navigator.credentials.get({ publicKey: options });
    const { authenticatorData, signature, userHandle } = made.response;
    const proof = { authenticatorData: text(authenticatorData), signature: text(signature) };
    return [made, { ...proof, userHandle: userHandle ? text(userHandle) : "" }];
  };

  const said = (error) => {
    switch (error && error.name) {
      case "NotAllowedError":
      case "AbortError":
        return "The passkey was not confirmed, so nothing was changed. Press the button once more when you are ready.";
      case "InvalidStateError":
        return "This device has a passkey for this account already. Use it to sign in, or add one on another device.";
      case "Error":
        return error.message;
      default:
        return "Your browser could not use a passkey here. Try another browser or device, or use your link or Procore.";
    }
  };

  const asked = async ({ dataset }) => {
    const csrf = dataset.csrf ? { csrf: dataset.csrf } : {};
    const { state, options } = await send(dataset.question, csrf);
    const [made, response] = await (dataset.kind === "create" ? create : get)(options);
    const credential = JSON.stringify({
      id: made.id,
      rawId: text(made.rawId),
      type: made.type,
      authenticatorAttachment: made.authenticatorAttachment || null,
      response: { clientDataJSON: text(made.response.clientDataJSON), ...response },
      clientExtensionResults: made.getClientExtensionResults(),
    });
    const { next } = await send(dataset.answer, { ...csrf, state, credential });
    location.assign(next);
  };

  if (!window.PublicKeyCredential || !navigator.credentials) return;
  for (const place of document.querySelectorAll(".passkey")) {
    const button = place.querySelector("button");
    const status = place.querySelector("[role=status]");
    button.addEventListener("click", async () => {
      button.disabled = true;
      status.textContent = "";
      await asked(place).catch((error) => {
        status.textContent = said(error);
        button.disabled = false;
      });
    });
    place.querySelector(".without").hidden = true;
    button.hidden = false;
  }
})();
