import subprocess

import pytest
from device import Device
from hub import BINARY, Hub, Mosquitto, Plant


def pytest_configure(config):
    assert BINARY, "set TRIBUTARY_BIN to the binary under test"
    config.addinivalue_line("markers", "long: only with --long")


@pytest.fixture
def hub(tmp_path):
    started = Hub(tmp_path / "data").start()
    yield started
    started.close()


@pytest.fixture
def device():
    made = Device()
    yield made
    try:
        made.cut()
    except OSError:
        pass


@pytest.fixture
def broker(tmp_path):
    made = Mosquitto(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def plant():
    made = Plant()
    yield made
    made.stop()


@pytest.fixture
def pymodbus_server():
    """Debian's pymodbus as a server: holding register n holds n, coils alternate."""
    from hub import Process, free_port, wait_port
    port = free_port()
    code = f"""
import logging; logging.disable(logging.CRITICAL)
from pymodbus.server import StartTcpServer
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusSlaveContext, ModbusServerContext
block = lambda values: ModbusSequentialDataBlock(0, values)
slave = ModbusSlaveContext(di=block([i % 2 == 1 for i in range(2000)]), co=block([i % 2 == 1 for i in range(2000)]),
                           hr=block(list(range(2000))), ir=block(list(range(2000))), zero_mode=True)
StartTcpServer(context=ModbusServerContext(slaves=slave, single=True), address=("127.0.0.1", {port}))
"""
    peer = Process(["/usr/bin/python3", "-c", code])
    wait_port(port)
    peer.port = port
    yield peer
    peer.stop()
