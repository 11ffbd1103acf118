/** The time, as often as "4 min ago" needs it. */
export class Clock {
  now = $state(Date.now());

  constructor() {
    $effect(() => {
      const timer = setInterval(() => (this.now = Date.now()), 15_000);
      return () => clearInterval(timer);
    });
  }
}
