/**
 * `<preceptor-passkey mode="register | sign-in" options-url finish-url label="..." next="/">`
 *
 * POSTs options-url for WebAuthn options as JSON (base64url fields), asks the browser, POSTs the credential as JSON to
 * finish-url {credential, name?}. The reply may hold {redirect}; otherwise `next` is opened.
 */
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { send, type Problem } from "../lib/api";
import { icon } from "../lib/dom";

type Json = Record<string, unknown>;

const fromBase64url = (text: string): ArrayBuffer => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0)).buffer;
};
const toBase64url = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const withIds = (list: unknown): PublicKeyCredentialDescriptor[] =>
  ((list as (Json & { id: string })[] | undefined) ?? []).map((each) => ({ ...each, type: "public-key", id: fromBase64url(each.id) }));

export function creationOptions(json: Json): PublicKeyCredentialCreationOptions {
  const user = json.user as Json & { id: string };
  return {
    ...(json as unknown as PublicKeyCredentialCreationOptions),
    challenge: fromBase64url(json.challenge as string),
    user: { ...(user as unknown as PublicKeyCredentialUserEntity), id: fromBase64url(user.id) },
    excludeCredentials: withIds(json.excludeCredentials),
  };
}

export function requestOptions(json: Json): PublicKeyCredentialRequestOptions {
  return { ...(json as unknown as PublicKeyCredentialRequestOptions), challenge: fromBase64url(json.challenge as string), allowCredentials: withIds(json.allowCredentials) };
}

export function credentialJson(credential: PublicKeyCredential): Json {
  const { response } = credential;
  const parts: Json = { clientDataJSON: toBase64url(response.clientDataJSON) };
  if (response instanceof AuthenticatorAttestationResponse) {
    parts.attestationObject = toBase64url(response.attestationObject);
    parts.transports = response.getTransports();
  } else if (response instanceof AuthenticatorAssertionResponse) {
    parts.authenticatorData = toBase64url(response.authenticatorData);
    parts.signature = toBase64url(response.signature);
    parts.userHandle = response.userHandle ? toBase64url(response.userHandle) : null;
  }
  return {
    id: credential.id,
    rawId: toBase64url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: parts,
  };
}

export class PreceptorPasskey extends LitElement {
  static override properties = {
    mode: {},
    optionsUrl: { attribute: "options-url" },
    finishUrl: { attribute: "finish-url" },
    label: {},
    next: {},
    busy: { state: true },
    message: { state: true },
  };
  declare mode: "register" | "sign-in";
  declare optionsUrl: string;
  declare finishUrl: string;
  declare label: string;
  declare next: string;
  declare protected busy: boolean;
  declare protected message: string;

  constructor() {
    super();
    this.mode = "sign-in";
    this.optionsUrl = "";
    this.finishUrl = "";
    this.label = "";
    this.next = "";
    this.busy = false;
    this.message = "";
  }
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  async #run(): Promise<void> {
    this.busy = true;
    this.message = "";
    this.message = (await this.#ceremony()) ?? "";
    this.busy = false;
  }

  /** What went wrong, in words, or nothing. */
  async #ceremony(): Promise<string | undefined> {
    const options = await send<Json>("POST", this.optionsUrl, { body: {} });
    if (!options.ok) return this.#words(options);
    const publicKey = (options.body.publicKey ?? options.body) as Json;
    const credential = await this.#ask(publicKey);
    if (typeof credential === "string") return credential;
    const done = await send<{ redirect?: string } | null>("POST", this.finishUrl, { body: { credential: credentialJson(credential) } });
    if (!done.ok) return this.#words(done);
    this.dispatchEvent(new CustomEvent("passkey-done", { bubbles: true }));
    location.assign(done.body?.redirect ?? (this.next || location.href));
    return undefined;
  }

  async #ask(json: Json): Promise<PublicKeyCredential | string> {
    try {
      const credential = this.mode === "register"
        ? await navigator.credentials.create({ publicKey: creationOptions(json) })
        : await navigator.credentials.get({ publicKey: requestOptions(json) });
      return credential instanceof PublicKeyCredential ? credential : "The browser gave no passkey.";
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (error.name === "InvalidStateError") return "This device already has a passkey for you.";
      if (error.name === "SecurityError") return "Passkeys need https, or localhost. Sign in with your password here.";
      return "No passkey was used: it was cancelled or took too long. Try again, or use your password.";
    }
  }

  #words(reply: { ok: false; problem: Problem } | { ok: false; offline: true }): string {
    return "problem" in reply ? [reply.problem.title, reply.problem.detail, reply.problem.next].filter(Boolean).join(" ") : "The server cannot be reached. Try again.";
  }

  protected override render(): TemplateResult {
    if (!("PublicKeyCredential" in globalThis)) return html`<p class="text-sm text-muted">This browser has no passkeys here. They need https, or localhost.</p>`;
    return html`<button type="button" class="btn btn-plain w-full" ?disabled=${this.busy} @click=${() => void this.#run()}>${icon("fingerprint")}${this.busy ? "Waiting for your device…" : this.label || (this.mode === "register" ? "Add a passkey" : "Sign in with a passkey")}</button>
      ${this.message ? html`<p class="mt-2 text-sm text-harm-ink" role="alert">${this.message}</p>` : nothing}`;
  }
}

customElements.define("preceptor-passkey", PreceptorPasskey);
