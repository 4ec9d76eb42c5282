export { SetupPage } from './SetupPage';
export { SignInAgain } from './SignInAgain';
export { SignInPage } from './SignInPage';
