import { MantineProvider } from '@mantine/core';
import { render } from '@testing-library/react';
import type { ReactElement } from 'react';
import { I18nextProvider } from 'react-i18next';
import { i18n } from '@/shared/i18n';
import { theme } from '@/shared/theme/theme';

/** Renders a part of the interface with what the App gives to everything. */
export function renderUi(element: ReactElement) {
  return render(
    <I18nextProvider i18n={i18n}>
      <MantineProvider theme={theme} env="test" withCssVariables={false} withGlobalClasses={false}>
        {element}
      </MantineProvider>
    </I18nextProvider>,
  );
}
