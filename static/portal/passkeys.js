// Offers security keys and passkeys where the browser has them, and says what went wrong with one.
"use strict";

(() => {
  const WORDS = {
    NotAllowedError: "No security key or passkey was used: it was cancelled, or took too long. Try again.",
    InvalidStateError: "This security key or passkey is added already.",
    SecurityError: "Security keys and passkeys don't work at this address. They need a host name, not an IP address.",
  };
  const OTHER = "Your security key or passkey could not be used. Try again, or use another one.";
  const hasPasskeys = "PublicKeyCredential" in window;

  for (const part of document.querySelectorAll("[data-passkeys]")) part.hidden = !hasPasskeys;
  for (const part of document.querySelectorAll("[data-no-passkeys]")) part.hidden = hasPasskeys;

  const place = document.getElementById("passkey-error");
  document.addEventListener("allauth.error", (event) => {
    if (!place) return;
    // Said on the page, it needs no entry in the console.
    event.preventDefault();
    place.textContent = WORDS[event.detail.exception?.name] ?? OTHER;
  });
})();
