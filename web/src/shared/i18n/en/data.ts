export const data = {
  quality: {
    label: 'Quality',
    good: 'Good',
    uncertain: 'Uncertain',
    bad: 'Bad',
    stale: 'Stale',
    explainStale: 'No news from the hub: this is the last value it sent.',
  },
};
