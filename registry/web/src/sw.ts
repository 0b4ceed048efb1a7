// The service worker: when there is no network, the code page still opens, and shows the carried code. Nothing personal is kept here.
const scope = self as unknown as ServiceWorkerGlobalScope;
const CACHE = 'tongguan-1';
const SHELL = ['/carry', '/assets/style.css', '/assets/code.js', '/assets/icon.svg'];
/** Longer than this nobody stands at a gate. */
const PATIENCE = 4000;

scope.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => scope.skipWaiting()));
});

scope.addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => scope.clients.claim()));
});

scope.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== scope.location.origin) return;
  if (event.request.mode === 'navigate' && (url.pathname === '/code' || url.pathname === '/')) {
    event.respondWith(within(event.request).catch(() => kept('/carry')));
  } else if (SHELL.includes(url.pathname)) {
    event.respondWith(fresh(event.request));
  }
});

async function within(request: Request): Promise<Response> {
  const late = new Promise<never>((_, reject) => { setTimeout(() => reject(new Error('late')), PATIENCE); });
  return Promise.race([fetch(request), late]);
}

/** What the network says, kept for when there is none. */
async function fresh(request: Request): Promise<Response> {
  try {
    const answer = await within(request);
    if (answer.ok) await (await caches.open(CACHE)).put(new URL(request.url).pathname, answer.clone());
    return answer;
  } catch {
    return kept(new URL(request.url).pathname);
  }
}

async function kept(path: string): Promise<Response> {
  return (await caches.match(path)) ?? Response.error();
}
