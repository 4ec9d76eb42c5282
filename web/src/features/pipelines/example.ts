/** The body of POST /pipelines for a first pipeline; the two function ids are to be filled in. */
export const examplePipeline = JSON.stringify(
  {
    name: 'filler to broker',
    enabled: true,
    nodes: [
      { id: 'trigger', type: 'trigger.function', settings: { functionId: 'ID of a subscription' } },
      { id: 'running', type: 'condition', settings: { expression: '{{ $input.running }}' } },
      { id: 'publish', type: 'function', settings: { functionId: 'ID of a publish function' } },
    ],
    edges: [
      { from: 'trigger', to: 'running' },
      { from: 'running', port: 'true', to: 'publish' },
    ],
  },
  null,
  2,
);
