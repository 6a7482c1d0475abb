// Asks this browser for your WhatsApp passkey and prints its answer for walinkd.
// It sends nothing anywhere. Run it in the console of PAGE
(async (clipboard) => {
  const options = OPTIONS;
  const decode = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const encode = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  options.challenge = decode(options.challenge);
  for (const key of options.allowCredentials ?? []) key.id = decode(key.id);
  let answer;
  try {
    const { id, rawId, type, response } = await navigator.credentials.get({ publicKey: options });
    const { clientDataJSON, authenticatorData, signature, userHandle } = response;
    answer = {
      id,
      rawId: encode(rawId),
      type,
      response: {
        clientDataJSON: encode(clientDataJSON),
        authenticatorData: encode(authenticatorData),
        signature: encode(signature),
        ...(userHandle?.byteLength && { userHandle: encode(userHandle) }),
      },
    };
  } catch ({ name, message }) {
    answer = { error: { name, message } };
  }
  const text = JSON.stringify(answer, null, 1);
  console.log(text);
  try {
    await clipboard(text);
  } catch {} // Not every browser lets a script; the text above can be copied by hand.
  console.log("Paste the text above into walinkd. It may be in the clipboard already.");
  return text;
})(typeof copy === "function" ? copy : (text) => navigator.clipboard.writeText(text));
