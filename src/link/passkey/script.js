// Asks this browser for your WhatsApp passkey; prints its answer for walinkd.
// It sends nothing anywhere. Run it in the console of this page:
// PAGE
(async (clipboard) => {
  const options = OPTIONS;
  const decode = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const encode = (buffer) => {
    const plain = btoa(String.fromCharCode(...new Uint8Array(buffer)));
    return plain.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  };
  options.challenge = decode(options.challenge);
  for (const key of options.allowCredentials ?? []) key.id = decode(key.id);
  let answer;
  try {
    const passkey = await navigator.credentials.get({ publicKey: options });
    const { response } = passkey;
    answer = {
      id: passkey.id,
      rawId: encode(passkey.rawId),
      type: passkey.type,
      response: {
        clientDataJSON: encode(response.clientDataJSON),
        authenticatorData: encode(response.authenticatorData),
        signature: encode(response.signature),
      },
    };
    const user = response.userHandle;
    if (user?.byteLength) answer.response.userHandle = encode(user);
  } catch ({ name, message }) {
    answer = { error: { name, message } };
  }
  const text = JSON.stringify(answer, null, 1);
  console.log(text);
  try {
    // Not every browser lets a script; it can be copied by hand, too.
    await clipboard(text);
  } catch {}
  console.log("Paste the text above into walinkd.");
  console.log("It may be in the clipboard already.");
  return text;
})(
  typeof copy === "function"
    ? copy
    : (text) => navigator.clipboard.writeText(text),
);
