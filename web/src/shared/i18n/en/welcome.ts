export const welcome = {
  welcome: {
    title: 'First steps',
    ready: 'Ready to look at',
    readyText: 'These connections are there already. Choose one to see its live values.',
    demo: 'Connect the demo plant',
    demoText:
      'A simulated bottling line to play with: {{count}} functions and a pipeline that acts on what it reads. Start it on any machine, then say where it is.',
    demoStart: 'Start it with',
    demoHost: 'Host',
    demoPort: 'Port',
    demoConnect: 'Connect',
    demoTaken: 'There is a connection named “{{name}}” already.',
    own: 'Your first connection',
    ownText: 'A PLC, a broker, a database: choose the kind, test it stage by stage, save it.',
    skip: 'Go to the connections',
  },
};
