// Every page: htmx, which sends forms without loading the page anew, and the slide that costs a bot real work. All of it is a
// convenience: the forms work without script.
import 'htmx.org';
import { forget } from './carried';
import { createSlide } from './slide';

document.addEventListener('htmx:load', (event) => {
  const root = (event as CustomEvent<{ elt: HTMLElement }>).detail.elt;
  root.querySelectorAll<HTMLElement>('[data-slide]').forEach(createSlide);
});

// Whoever logs out of a phone that others use leaves no code on it.
document.querySelector<HTMLFormElement>('form[action="/leave"]')?.addEventListener('submit', (event) => {
  const form = event.target as HTMLFormElement;
  event.preventDefault();
  const leave = () => form.submit();
  forget().then(leave, leave);
});

// A link such as /enter#TOKEN: the fragment never leaves the phone but in a form, and does not stay in the address.
const fragment = location.hash.slice(1);
const token = document.querySelector<HTMLInputElement>('#token');
if (token?.form && /^[A-Za-z0-9_-]{43}$/.test(fragment)) {
  history.replaceState(null, '', location.pathname);
  token.value = fragment;
  token.form.submit();
}
