// The code page: counts down, renews the live code before it ends, and shows the carried code when there is no network. Without script
// the page shows its code with a link that renews it.
import { carried, certify } from './carried';
import { svg } from './qr';

const page = document.querySelector<HTMLElement>('#code');
const picture = document.querySelector<HTMLElement>('#picture');
const count = document.querySelector<HTMLElement>('#count');
const note = document.querySelector<HTMLElement>('#carried');
const none = document.querySelector<HTMLElement>('#none');
const whose = document.querySelector<HTMLElement>('#whose');

/** Milliseconds, by whichever clock says more: one may be set back, the other sleeps with the phone. */
const started = { wall: Date.now(), steady: performance.now() };
const now = () => Math.max(performance.now() - started.steady, Date.now() - started.wall);

let end = now() + Number(page?.dataset.seconds ?? 0) * 1000;
// Phones must not all renew at once: each picks its own moment, one to three minutes before the end.
const moment = () => end - (60 + Math.random() * 120) * 1000;
let renewAt = page?.dataset.seconds ? moment() : now();
let carrying = false;
let carriedAt = -Infinity;

async function renew(): Promise<void> {
  renewAt = now() + (10 + Math.random() * 20) * 1000;
  try {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 8000);
    const answer = await fetch('/code/next', { method: 'POST', credentials: 'same-origin', signal: abort.signal });
    clearTimeout(timer);
    if (answer.status === 401) { location.assign('/enter'); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const got = await answer.json() as { code: string; seconds: number; whose: string };
    show(got.code, got.whose);
    end = now() + got.seconds * 1000;
    showCount();
    renewAt = moment();
    carrying = false;
    void certify(got.code, got.whose).catch(() => { /* the live code is there; it is tried again with the next one */ });
  } catch {
    if (end - now() < 30_000) carrying = true;
  }
}

function show(code: string, name: string): void {
  if (picture) picture.innerHTML = svg(code);
  if (whose) whose.textContent = name;
  page?.classList.remove('stale');
}

async function carry(): Promise<void> {
  // Good for ten minutes at a gate; a fresh one each minute.
  if (now() - carriedAt < 60_000) return;
  carriedAt = now();
  const made = await carried().catch(() => null);
  if (none) none.hidden = made !== null;
  page?.classList.toggle('stale', made === null);
  if (!made) return;
  show(made.code, made.whose);
  end = now() + 600_000;
  showCount();
}

function showCount(): number {
  const left = Math.max(0, Math.ceil((end - now()) / 1000));
  if (count) count.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
  return left;
}

function tick(): void {
  const left = showCount();
  if (note) note.hidden = !carrying;
  if (document.hidden) return;
  if (carrying) void carry();
  if (left === 0) { if (!carrying) page?.classList.add('stale'); carrying = true; }
  if (now() >= renewAt) void renew();
}

async function stayAwake(): Promise<void> {
  try { await navigator.wakeLock?.request('screen'); } catch { /* the phone saves its battery */ }
}

if (page) {
  carrying = !page.dataset.seconds;
  document.querySelector('#clock')?.removeAttribute('hidden');
  setInterval(tick, 500);
  tick();
  void stayAwake();
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { void stayAwake(); tick(); } });
  document.querySelector('#refresh')?.addEventListener('click', (event) => { event.preventDefault(); void renew(); });
  if (page.dataset.seconds && window.isSecureContext && page.dataset.code) {
    void certify(page.dataset.code, page.dataset.whose ?? '').then(
      () => page.setAttribute('data-carries', 'yes'),
      () => document.querySelector('#insecure')?.removeAttribute('hidden'),
    );
  } else if (page.dataset.seconds && !window.isSecureContext) {
    document.querySelector('#insecure')?.removeAttribute('hidden');
  }
}
if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/sw.js').catch(() => { /* without it there is no page without a network */ });
