// The carried code (docs/PASS-FORMAT.md, section 5): a key that never leaves this phone, certified for the day while there is a network;
// the phone then signs the time by itself.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

interface Kept {
  key: CryptoKeyPair;
  /** The certificate with its signature, 114 bytes. */
  certificate?: Uint8Array;
  /** Unix seconds of the server. */
  from?: number;
  until?: number;
  /** The server's clock less this phone's, in seconds. */
  ahead?: number;
  /** Whose it is, masked. */
  whose?: string;
}

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open('tongguan', 1);
    open.onupgradeneeded = () => { open.result.createObjectStore('carried'); };
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => reject(open.error ?? new Error('no database'));
  });
}

async function store<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await database();
  try {
    return await new Promise((resolve, reject) => {
      const request = act(db.transaction('carried', mode).objectStore('carried'));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('no store'));
    });
  } finally {
    db.close();
  }
}

const load = () => store<Kept | undefined>('readonly', (s) => s.get('mine') as IDBRequest<Kept | undefined>);
const save = (kept: Kept) => store('readwrite', (s) => s.put(kept, 'mine'));
export const forget = () => store('readwrite', (s) => s.delete('mine'));

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (data: Uint8Array) => Array.from(data, (b) => b.toString(16).padStart(2, '0')).join('');

/** Kind, key and handle stand first in a live code and in a certificate alike (PF 4.1, 5.1): the handle, as text to compare. */
const handle = (begin: Uint8Array) => hex(begin.slice(3, 7));

function beginOf(code: string): Uint8Array {
  const begin = new Uint8Array(7);
  let bits = 0, value = 0, at = 0;
  for (const letter of code.slice(4, 16)) {
    value = (value << 5 | ALPHABET.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits >= 8 && at < begin.length) { bits -= 8; begin[at++] = value >> bits & 255; }
  }
  return begin;
}

/**
 * Gets a certificate for this phone's key, unless the one it has lasts for half a day more. `live` is the live code of this moment: one
 * with another handle is another person's, or the old handle was revoked, and then nothing of what is kept is good.
 */
export async function certify(live: string, whose: string): Promise<void> {
  let kept = await load();
  const now = Date.now() / 1000;
  const same = kept?.certificate !== undefined && handle(kept.certificate) === handle(beginOf(live));
  if (same && kept?.until && kept.until - now - (kept.ahead ?? 0) > 12 * 3600) return;
  if (!kept || !same) {
    // Before anything else can fail: what is left must not be shown.
    await forget();
    const key = await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']) as CryptoKeyPair;
    kept = { key, whose };
  }
  const holder = new Uint8Array(await crypto.subtle.exportKey('raw', kept.key.publicKey));
  const answer = await fetch('/code/certificate', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ holder_key: hex(holder) }),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  const got = await answer.json() as { certificate: string; valid_from: string; expires_at: string; server_time: string };
  const seconds = (time: string) => Date.parse(time) / 1000;
  await save({
    ...kept,
    certificate: bytes(got.certificate),
    from: seconds(got.valid_from),
    until: seconds(got.expires_at),
    ahead: seconds(got.server_time) - Date.now() / 1000,
  });
}

/** The code of this moment with whose it is; null if there is no certificate that is still good. */
export async function carried(): Promise<{ code: string; whose: string; until: number } | null> {
  const kept = await load();
  if (!kept?.certificate || !kept.until || !kept.from) return null;
  const now = Math.floor(Date.now() / 1000 + (kept.ahead ?? 0));
  if (now >= kept.until) return null;
  const made = new Uint8Array(4);
  new DataView(made.buffer).setUint32(0, Math.max(now, kept.from));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', kept.certificate as BufferSource));
  const signed = concat(new TextEncoder().encode('tongguan/1/carried\0'), hash, made);
  const signature = new Uint8Array(await crypto.subtle.sign({ name: 'Ed25519' }, kept.key.privateKey, signed as BufferSource));
  return { code: 'TG1:' + base32(concat(kept.certificate, made, signature)), whose: kept.whose ?? '', until: kept.until };
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

/** RFC 4648, without padding. */
function base32(data: Uint8Array): string {
  let text = '', bits = 0, value = 0;
  for (const byte of data) {
    value = (value << 8 | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) { bits -= 5; text += ALPHABET[value >> bits & 31]; }
  }
  return bits > 0 ? text + ALPHABET[value << (5 - bits) & 31] : text;
}
