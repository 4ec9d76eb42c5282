export { BrowseTree, type Chosen } from './BrowseTree';
export { type BrowsedNode, hasValue } from './model';
