! The library from Fortran: prints the same on any number of ranks, with groups (argument:
! ranks of each) and without.
module functions
    use dwq
    implicit none
    include 'mpif.h'

contains

    ! scaled(x, factor=f): f x of the rows of this rank, and the sum of all.
    integer(c_int) function scaled(call, arg) bind(C)
        type(c_ptr), value :: call, arg
        type(c_ptr) :: data, b, mine
        integer(c_int) :: kind, ndim, ierror
        integer(c_size_t) :: shape(8)
        real(c_double), pointer :: x(:), y(:)
        real(c_double) :: factor, part, total

        if (.not. all([dwq_value_data(dwq_call_arg(call, 0_c_size_t), kind, ndim, shape, data), &
                       dwq_read_double(dwq_call_kwarg(call, "factor"//c_null_char), factor)])) then
            scaled = dwq_call_fail_text(call, 3, "scaled(x, factor): 100 % of them are needed"//c_null_char)
            return
        end if
        if (kind /= DWQ_DOUBLE .or. ndim /= 1 .or. c_associated(arg)) then
            scaled = 4
            return
        end if
        call c_f_pointer(data, x, [shape(1)])
        mine = dwq_call_alloc_data(call, DWQ_DOUBLE, 1, shape)
        call c_f_pointer(mine, y, [shape(1)])
        y = factor * x
        part = sum(y)
        call mpi_allreduce(part, total, 1, MPI_DOUBLE_PRECISION, MPI_SUM, dwq_call_comm_f(call), ierror)
        b = dwq_builder_create()
        ierror = dwq_builder_array(b, type=DWQ_DOUBLE, data=mine, ndim=1, shape=shape, taken=0)
        ierror = dwq_builder_double(b, value=total)
        scaled = dwq_call_return_built(call, b)
        call dwq_builder_destroy(b)
    end function

    ! same(what...): its arguments, told by their kinds.
    integer(c_int) function same(call, arg) bind(C)
        type(c_ptr), value :: call, arg
        type(c_ptr) :: b, list, text
        logical(c_bool) :: flag, good(7)
        integer(c_int) :: n, ierror
        integer(c_int64_t) :: large
        real(c_double) :: x

        list = dwq_call_arg(call, 3_c_size_t)
        good = [dwq_read_bool(dwq_call_arg(call, 0_c_size_t), flag), &
                dwq_read_int64(dwq_call_arg(call, 1_c_size_t), large), &
                dwq_read_string(dwq_call_arg(call, 2_c_size_t), text), &
                dwq_read_int(dwq_value_item(list, 0_c_size_t), n), &
                dwq_read_double(dwq_value_entry(dwq_value_item(list, 1_c_size_t), "x"//c_null_char), x), &
                logical(dwq_call_n_args(call) == 4, c_bool), &
                logical(dwq_value_n(list) == 2 .and. .not. c_associated(arg), c_bool)]
        if (.not. all(good)) then
            same = 5
            return
        end if
        b = dwq_builder_create()
        ierror = dwq_builder_bool(b, value=flag)
        ierror = dwq_builder_int(b, value=large)
        ierror = dwq_builder_double(b, value=n + x)
        same = dwq_call_return_built(call, b)
        call dwq_builder_destroy(b)
    end function

    subroutine check(what, good)
        character(*), intent(in) :: what
        logical, intent(in) :: good

        if (.not. good) then
            print '(3a)', what, ": no"
            error stop 1
        end if
    end subroutine

    integer(c_int) function controller(c, arg) bind(C)
        type(c_ptr), value :: c, arg
        type(c_ptr) :: b, result, data, text
        integer(c_int64_t) :: id, field
        integer(c_size_t) :: shape(8)
        integer(c_int) :: rc, kind, ndim, rank, n_ranks, large
        real(c_double), target :: x(7)
        real(c_double), pointer :: part(:)
        real(c_double) :: total, sum_of_parts
        character(kind=c_char), pointer :: letters(:)
        logical(c_bool) :: flag

        call check("no argument", .not. c_associated(arg))
        result = dwq_result_create()
        x = [1, 2, 3, 4, 5, 6, 7]
        b = dwq_builder_create("scaled"//c_null_char)
        rc = dwq_builder_array(b, type=DWQ_DOUBLE, data=c_loc(x), ndim=1, shape=[7_c_size_t], taken=DWQ_TAKEN_SCATTERED)
        rc = dwq_builder_double(b, "factor"//c_null_char, 2._c_double)
        rc = dwq_builder_set_double(b, "time_est"//c_null_char, 2._c_double)
        call check("submit", dwq_controller_submit_call(c, dwq_builder_task(b), id) == DWQ_OK)
        call dwq_builder_destroy(b)
        call check("get", dwq_controller_get_result(c, id, result) == DWQ_OK)
        flag = dwq_result_int(result, "n_ranks"//c_null_char, field)
        n_ranks = int(field, c_int)
        sum_of_parts = 0
        do rank = 0, n_ranks - 1
            flag = dwq_value_data(dwq_result_value(result, rank, 0_c_size_t), kind, ndim, shape, data)
            call check("part", logical(flag) .and. kind == DWQ_DOUBLE .and. ndim == 1)
            call c_f_pointer(data, part, [shape(1)])
            sum_of_parts = sum_of_parts + sum(part)
            flag = dwq_read_double(dwq_result_value(result, rank, 1_c_size_t), total)
            call check("total", logical(flag))
        end do
        print '(a, f6.1, f6.1)', "scaled", sum_of_parts, total
        call dwq_result_clear(result)

        b = dwq_builder_create("same"//c_null_char)
        rc = dwq_builder_bool(b, value=.true._c_bool)
        rc = dwq_builder_int(b, value=123456789012_c_int64_t)
        rc = dwq_builder_string(b, value="text"//c_null_char)
        rc = dwq_builder_list(b)
        rc = dwq_builder_int(b, value=3_c_int64_t)
        rc = dwq_builder_map(b)
        rc = dwq_builder_double(b, "x"//c_null_char, 0.5_c_double)
        rc = dwq_builder_end(b)
        call check("open list", .not. c_associated(dwq_builder_task(b)))
        rc = dwq_builder_end(b)
        call check("queue", dwq_controller_queue_call(c, dwq_builder_task(b)) == DWQ_OK)
        call dwq_builder_destroy(b)
        call check("wait", dwq_controller_wait_next_result(c, 100._c_double, result) == DWQ_OK)
        flag = dwq_read_int64(dwq_result_value(result, 0, 1_c_size_t), field)
        flag = dwq_read_double(dwq_result_value(result, 0, 2_c_size_t), total)
        print '(a, i13, f5.1)', "same", field, total
        large = 8
        call check("too large", .not. dwq_read_int(dwq_result_value(result, 0, 1_c_size_t), large) .and. large == 8)
        call dwq_result_clear(result)

        b = dwq_builder_create("scaled"//c_null_char)
        rc = dwq_controller_submit_call(c, dwq_builder_task(b))
        call dwq_builder_destroy(b)
        call check("next", dwq_controller_get_next_result(c, result) == DWQ_OK)
        flag = dwq_result_int(result, "code"//c_null_char, field)
        flag = dwq_result_string(result, "message"//c_null_char, text)
        call c_f_pointer(text, letters, [44])
        print '(a, i2, 1x, 44a)', "failed", field, letters
        call check("empty", dwq_controller_get_next_result(c, result) == DWQ_E_EMPTY)
        call dwq_result_destroy(result)
        controller = 0
    end function
end module functions

program flat_fortran
    use functions
    implicit none
    type(c_ptr) :: options
    integer(c_int) :: rc, code
    integer(c_int64_t) :: nprocs
    character(8) :: text

    options = dwq_options_create()
    rc = dwq_options_add_function(options, "scaled"//c_null_char, c_funloc(scaled), c_null_ptr)
    rc = dwq_options_add_function(options, "same"//c_null_char, c_funloc(same), c_null_ptr)
    rc = dwq_options_set_roles(options, c_funloc(controller), c_null_funptr, c_null_funptr, c_null_ptr)
    if (command_argument_count() > 0) then
        call get_command_argument(1, text)
        read (text, *) nprocs
        rc = dwq_options_set_int(options, "nprocs_per_worker"//c_null_char, nprocs)
        rc = dwq_options_set_int(options, "broker_is_worker"//c_null_char, 1_c_int64_t)
        rc = dwq_options_set_string(options, "collective_mode"//c_null_char, "sendrecv"//c_null_char)
    end if
    code = 1
    rc = dwq_run(options, code)
    call dwq_options_destroy(options)
    call dwq_finalize()
    if (rc /= DWQ_OK .or. code /= 0) error stop 1
end program flat_fortran
