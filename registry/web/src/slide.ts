// A slide to the right starts the work (ALTCHA, protocol 2): a bot that wants ten thousand messages does it ten thousand times. By keyboard it
// is a button. Where the browser cannot do it (no secure context), nothing is shown, and the server counts such askers more strictly.
import { solveChallenge, type Challenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2';

export function createSlide(place: HTMLElement): void {
  if (place.dataset.ready || !window.isSecureContext || !window.crypto.subtle) return;
  place.dataset.ready = 'yes';
  const words = (name: string) => place.dataset[name] ?? '';
  const field = place.querySelector<HTMLInputElement>('input[name=work]');
  if (!field) return;

  const track = document.createElement('div');
  track.className = 'slide';
  const label = document.createElement('span');
  label.textContent = words('slide');
  label.setAttribute('role', 'status');
  const grip = document.createElement('button');
  grip.type = 'button';
  grip.textContent = '››';
  grip.setAttribute('aria-label', words('slide'));
  track.append(label, grip);
  place.append(track);

  let from: number | null = null;
  let working = false;
  const room = () => track.clientWidth - grip.offsetWidth;
  const move = (x: number) => { grip.style.transform = `translateX(${Math.max(0, Math.min(room(), x))}px)`; };
  grip.addEventListener('pointerdown', (event) => {
    from = event.clientX;
    grip.setPointerCapture(event.pointerId);
  });
  grip.addEventListener('pointermove', (event) => {
    if (from !== null) move(event.clientX - from);
  });
  grip.addEventListener('pointerup', (event) => {
    if (from === null) return;
    const far = event.clientX - from >= room() * 0.9;
    from = null;
    if (far) void work(); else move(0);
  });
  // A click by a pointer is a slide that was not one; one by the keyboard has no place.
  grip.addEventListener('click', (event) => { if (event.detail === 0) void work(); });

  async function work(): Promise<void> {
    if (working) return;
    working = true;
    label.textContent = words('working');
    try {
      const answer = await fetch('/challenge', { credentials: 'same-origin', cache: 'no-store' });
      const challenge = await answer.json() as Challenge;
      const solution = await solveChallenge({ challenge, deriveKey });
      if (!solution || !field) throw new Error('no solution');
      field.value = btoa(JSON.stringify({ challenge, solution }));
      track.classList.add('over');
      label.textContent = words('done');
      // The message is what was wanted.
      place.closest('form')?.querySelector<HTMLButtonElement>('button[value=code]')?.click();
    } catch {
      label.textContent = words('failed');
      move(0);
    } finally {
      working = false;
    }
  }
}
